//! The parameter set of this addon as JavaScript sees it.
use crate::params::{PARAMETERS_NAME, TFHE_VERSION};
use napi_derive::napi;

#[napi(object)]
pub struct Parameters {
    pub name: String,
    pub tfhe: String,
}

#[napi]
pub fn parameters() -> Parameters {
    Parameters { name: PARAMETERS_NAME.into(), tfhe: TFHE_VERSION.into() }
}
