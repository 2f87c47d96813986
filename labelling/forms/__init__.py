"""What comes in from people, checked."""
