"""What the scope is put into; each host is a thin adapter."""
