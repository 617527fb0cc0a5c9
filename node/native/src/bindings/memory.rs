//! Memory that the allocator holds after a ceremony's buffers are gone.
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;

use super::task::{Work, background};

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() -> bool {
    // SAFETY: the prototype is glibc's (malloc.h); it takes the allocator's own locks and no pointer.
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> i32;
    }
    unsafe { malloc_trim(0) != 0 }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() -> bool {
    false
}

/// Gives freed memory back to the system, and says whether there was any.
/// Why: glibc keeps what a ceremony's threads freed, some 160 MB, for as long as the process lives.
#[napi(catch_unwind)]
pub fn trim_memory() -> AsyncTask<Work<bool, bool>> {
    background(|trimmed| trimmed, || Ok(trim()))
}
