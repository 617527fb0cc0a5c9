//! Where tests strike a running computation. Nothing outside tests.

use crate::ring::element::Gr;

#[cfg(not(test))]
#[inline(always)]
pub fn touch(_value: &mut Gr) {}

#[cfg(test)]
pub use injected::{strike, touch};

#[cfg(test)]
mod injected {
    use super::Gr;
    use std::cell::Cell;

    thread_local! {
        static STRIKE: Cell<Option<(usize, u128)>> = const { Cell::new(None) };
    }

    /// The `after`-th value that this thread's next computations touch gets these bits flipped, once.
    pub fn strike(after: usize, bits: u128) {
        STRIKE.set(Some((after, bits)));
    }

    pub fn touch(value: &mut Gr) {
        match STRIKE.get() {
            Some((0, bits)) => {
                value.0[0] ^= bits;
                STRIKE.set(None);
            }
            Some((after, bits)) => STRIKE.set(Some((after - 1, bits))),
            None => {}
        }
    }
}
