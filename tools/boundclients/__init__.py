"""Real clients, connected by a real binding: `make clients`."""
