//! A value that JavaScript can let go before its collector does, also while work on it is running.

use crate::errors::{Code, Failure, Result};
use std::sync::{Mutex, PoisonError};

/// Cheap to clone inside: running work holds a clone of its own, and the last one to go frees the value.
pub struct Destroyable<T>(Mutex<Option<T>>);

impl<T: Clone> Destroyable<T> {
    pub fn new(value: T) -> Self {
        Self(Mutex::new(Some(value)))
    }

    /// # Errors
    /// `NATIVE_DESTROYED`.
    pub fn get(&self) -> Result<T> {
        let value = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        value.clone().ok_or_else(|| Failure::new(Code::Destroyed, "the object was destroyed"))
    }

    pub fn destroy(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
