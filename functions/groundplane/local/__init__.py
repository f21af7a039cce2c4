"""One machine, no cluster: what runs engines as processes, and what claims are applied to."""
