"""The web page of the plane: static files, and a forwarder that lets a browser read the plane's own API."""
