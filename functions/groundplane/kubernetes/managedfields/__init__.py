"""Server-side apply: who manages which field (structured-merge-diff)."""
