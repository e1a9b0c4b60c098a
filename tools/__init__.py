"""What developers of this project run; not in the wheel."""
