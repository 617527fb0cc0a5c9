//! From summed bodies to the keys that tfhe loads (docs/keygen.md §1). Everything here is public.
pub mod public_key;
pub mod server_key;
pub mod server_key_file;
