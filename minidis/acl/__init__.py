"""Access control: users, rules, the ACL log."""
