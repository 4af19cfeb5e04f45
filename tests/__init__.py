"""The tests of anysgi."""
