"""Other people's environments and data sets as scenarios."""
