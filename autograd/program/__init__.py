"""Programs: compositions traced on symbols, derived, and run as machine kernels."""
