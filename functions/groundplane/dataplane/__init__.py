"""Work on real data, in programs that end. They know an engine's tools, and nothing of claims."""
