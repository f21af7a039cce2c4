"""Rules of Crossplane, as its reconciler has them: pure, for the offline render and the plane of one machine."""
