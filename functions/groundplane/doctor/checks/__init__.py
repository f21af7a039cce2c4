"""What a snapshot means. Every module has a ``check`` that turns a snapshot into findings, and reads nothing."""
