"""What our own requests to the CAD change, and their echoes among the pushes."""
