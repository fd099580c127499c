//! Which tensors the well-known trainers would decay.
