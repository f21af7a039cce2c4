"""The edge: transport, certificates and protobuf; the clock and randomness become inputs here."""
