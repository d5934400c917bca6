"""The tests, in the folders of what they test. A package, because a library of ours installs one of this name too."""
