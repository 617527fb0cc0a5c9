//! Many decryption shares at once, on a pool of this module's own: a batch neither waits for other native work nor takes
//! more threads than the machine has.

use super::share::{ShareKey, ShareRequest, decryption_share};
use crate::errors::Result;
use crate::word_format::WordFormat;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::OnceLock;

/// More threads than this would only help on machines that hold nothing but one node.
const MOST_THREADS: usize = 8;

/// A private copy of one ciphertext's words: what is hashed into the masks is what is decrypted.
pub struct ShareWork {
    pub words: Vec<u8>,
    pub format: WordFormat,
    pub session: [u8; 32],
}

/// Shares in the order of the work.
///
/// # Errors
/// Those of [`decryption_share`] for any of the ciphertexts; then there is no share of any.
pub fn decryption_shares(key: &ShareKey, work: &[ShareWork]) -> Result<Vec<Vec<u8>>> {
    let share = |one: &ShareWork| {
        let request = ShareRequest { words: &one.words, format: one.format, session: &one.session };
        decryption_share(key, request)
    };
    match pool() {
        Some(pool) => pool.install(|| work.par_iter().map(share).collect()),
        None => work.iter().map(share).collect(),
    }
}

/// Nothing where the system gives no threads: then the caller's does the work.
fn pool() -> Option<&'static ThreadPool> {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    POOL.get_or_init(|| {
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(MOST_THREADS));
        ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|thread| format!("twinlock-share-{thread}"))
            .build()
            .ok()
    })
    .as_ref()
}
