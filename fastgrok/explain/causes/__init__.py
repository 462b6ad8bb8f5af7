"""Why a seed did not converge: for each cause, whether it is so, and the evidence."""
