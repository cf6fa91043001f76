"""The containers behind the keys: values in, values out; no keys, no replies, no clock."""
