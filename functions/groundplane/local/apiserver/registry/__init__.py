"""What a request does to an object: decode, admit, default, validate, write."""
