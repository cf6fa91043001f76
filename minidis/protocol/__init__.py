"""The Redis protocol (RESP) without I/O: requests to commands, replies to bytes and back."""
