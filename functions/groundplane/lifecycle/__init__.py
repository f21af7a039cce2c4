"""What must never happen, and what must happen in order. Pure: the same observation gives the same decision."""
