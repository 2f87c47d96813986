"""When the work of this room is done."""
