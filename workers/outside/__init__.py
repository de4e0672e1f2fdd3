"""What goes out to addresses that others choose: to public ones alone."""
