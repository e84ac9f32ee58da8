"""What people do with the CAD's calls and units, and ask of the CAD."""
