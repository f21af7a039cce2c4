"""What follows from contracts and engines, as text: APIs, Compositions, packages, companion set, documents."""
