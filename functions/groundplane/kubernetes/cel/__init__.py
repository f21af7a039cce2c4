"""CEL: the rules of schemas and the expressions of admission policies."""
