"""A plane on one machine, put together: where it lives, what it begins with, how it runs."""
