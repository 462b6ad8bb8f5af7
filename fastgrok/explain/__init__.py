"""Why a network does what it does: data first, `str` for the text, `fastgrok.plots` for the picture."""
