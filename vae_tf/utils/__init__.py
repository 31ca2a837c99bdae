"""What every package uses: errors, seeds, checks of arguments, atomic files."""
