"""The API on the network: requests, formats, watches."""
