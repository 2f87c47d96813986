"""The review API: JSON over the session of the browser."""
