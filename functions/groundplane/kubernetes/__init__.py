"""Rules of Kubernetes, as its API server has them: pure, for the offline render, the plane of one machine and tests."""
