// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Intel's verdict on a TCB level, in the order of Intel's quote verification library.
enum TcbStatus {
    UpToDate,
    SWHardeningNeeded,
    ConfigurationNeeded,
    ConfigurationAndSWHardeningNeeded,
    OutOfDate,
    OutOfDateConfigurationNeeded,
    Revoked
}

/// @notice Joint verdict of platform, module and quoting enclave: what any of them needs, all need. Out of date
/// includes software hardening; revoked absorbs everything.
function mergeTcbStatus(TcbStatus a, TcbStatus b) pure returns (TcbStatus) {
    (TcbStatus low, TcbStatus high) = a < b ? (a, b) : (b, a);
    if (high == TcbStatus.ConfigurationNeeded && low == TcbStatus.SWHardeningNeeded) {
        return TcbStatus.ConfigurationAndSWHardeningNeeded;
    }
    bool configuration = low == TcbStatus.ConfigurationNeeded || low == TcbStatus.ConfigurationAndSWHardeningNeeded;
    if (high == TcbStatus.OutOfDate && configuration) return TcbStatus.OutOfDateConfigurationNeeded;
    return high;
}
