"""Pictures: each function takes `ax=`, returns it, and draws what a plain function beside it computes."""
