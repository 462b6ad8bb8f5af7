"""One checkout of fastgrok against another, side by side in one run."""
