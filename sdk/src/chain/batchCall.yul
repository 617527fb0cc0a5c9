/// Runs many view calls in one `eth_call` without a deployed contract: creation code that answers by reverting. A
/// creation may not return more than a contract's size; revert data has no such limit, and every client hands it on.
///
/// Behind the code stand the calls, 56 bytes each: target (20), selector (4), argument (32).
/// Revert data, for each call in turn: success (1), length of what it returned (4), what it returned. A call that fails
/// returns nothing, and one that uses up its gas takes none from the others.
object "BatchCall" {
    code {
        let out := 64
        for { let at := datasize("BatchCall") } lt(at, codesize()) { at := add(at, 56) } {
            codecopy(0, at, 56)
            let done := staticcall(300000, shr(96, mload(0)), 20, 36, 0, 0)
            let size := mul(done, returndatasize())
            mstore8(out, done)
            mstore(add(out, 1), shl(224, size))
            returndatacopy(add(out, 5), 0, size)
            out := add(add(out, 5), size)
        }
        revert(64, sub(out, 64))
    }
}
