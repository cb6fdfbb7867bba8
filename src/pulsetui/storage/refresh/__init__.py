"""Keeping the sizes: what is known of folders, one refresh and its difference, the schedule, the watches."""
