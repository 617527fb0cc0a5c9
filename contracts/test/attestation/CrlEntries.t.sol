// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Der} from "../../src/attestation/Der.sol";
import {LongCrl} from "./support/LongCrl.sol";

/// @notice Single entries of a CRL: every form that DER allows for them is read, and no other.
contract CrlEntriesTest is LongCrl {
    bytes private constant DATE = hex"170d3236313030333030303030305a";
    bytes private constant REASON = hex"300c300a0603551d1504030a0101";
    uint160 private constant SERIAL = 0x000102030405060708090a0b0c0d0e0f1011121314;
    uint160 private constant OTHER = (1 << 156) | 99;
    uint160 private constant NEGATIVE = 0x00f102030405060708090a0b0c0d0e0f1011121314;

    function setUp() public override {
        super.setUp();
        vm.warp(now0 + 2 days);
    }

    function test_usualEntries() public {
        _takes(bytes.concat(hex"30330214", bytes20(SERIAL), DATE, REASON), SERIAL);
        _takes(bytes.concat(hex"3034021500", bytes20(NEGATIVE), DATE, REASON), NEGATIVE);
        _takes(bytes.concat(hex"30330214", bytes20(SERIAL), DATE, hex"300c300a0603551d1504030a0104"), SERIAL);
    }

    function test_otherSerials() public {
        _takes(bytes.concat(hex"3020020101", DATE, REASON), 1);
        _takes(bytes.concat(hex"3033021400", bytes19(uint152(1 << 151) | 5), DATE, REASON), uint152(1 << 151) | 5);
        _takes(bytes.concat(hex"3032021301", bytes18(uint144(7)), DATE, REASON), (1 << 144) | 7);
        _takes(bytes.concat(hex"3034021501", bytes20(SERIAL), DATE, REASON), (uint256(1) << 160) | SERIAL);
    }

    function test_otherExtensions() public {
        _takes(bytes.concat(hex"30250214", bytes20(SERIAL), DATE), SERIAL);
        _takes(bytes.concat(hex"30330214", bytes20(SERIAL), DATE, hex"300c300a0603551d1804030a0101"), SERIAL);
        _takes(
            bytes.concat(hex"303f0214", bytes20(SERIAL), DATE, hex"3018300a0603551d1504030a0101300a0603551d1804030a0101"),
            SERIAL
        );
    }

    function test_malformedSerials_areRefused() public {
        _refuses(bytes.concat(hex"30330214", bytes20(NEGATIVE), DATE, REASON)); // negative
        _refuses(bytes.concat(hex"3034021500", bytes20(SERIAL), DATE, REASON)); // a needless sign byte
        _refuses(bytes.concat(hex"3033021400", bytes19(uint152(5)), DATE, REASON));
        _refuses(bytes.concat(hex"30330314", bytes20(SERIAL), DATE, REASON)); // a BIT STRING
        _refuses(bytes.concat(hex"30330215", bytes20(SERIAL), DATE, REASON));
        _refuses(bytes.concat(hex"30330213", bytes20(SERIAL), DATE, REASON));
    }

    function test_malformedRests_areRefused() public {
        bytes memory head = bytes.concat(hex"30330214", bytes20(SERIAL));
        _refuses(bytes.concat(head, hex"180d3236313030333030303030305a", REASON)); // GeneralizedTime
        _refuses(bytes.concat(head, hex"170c3236313030333030303030305a", REASON));
        _refuses(bytes.concat(head, DATE, hex"310c300a0603551d1504030a0101"));
        _refuses(bytes.concat(head, DATE, hex"300b300a0603551d1504030a0101"));
        _refuses(bytes.concat(head, DATE, hex"300c300a0603551d1501010a0101")); // critical
        _refuses(bytes.concat(head, DATE, hex"300c300a0603551d1504020a0101"));
        _refuses(bytes.concat(hex"30320214", bytes20(SERIAL), DATE, REASON));
        _refuses(bytes.concat(hex"30340214", bytes20(SERIAL), DATE, REASON));
        _refuses(bytes.concat(hex"31330214", bytes20(SERIAL), DATE, REASON));
    }

    /// @dev The last entry may not reach beyond the list.
    function test_truncatedEntry_isRefused() public {
        bytes memory entry = bytes.concat(hex"30330214", bytes20(SERIAL), DATE, REASON);
        bytes memory short = new bytes(52);
        for (uint256 i = 0; i < 52; i++) short[i] = entry[i];
        _refuses(short);
    }

    /// @dev Alone, between others, and not its neighbours.
    function _takes(bytes memory entry, uint256 serial) private {
        uint256 clean = avm.snapshotState();
        bytes memory other = bytes.concat(hex"30330214", bytes20(OTHER), DATE, REASON);
        store.storeCrl(_platformCaId(), _crlOf(bytes.concat(other, entry, other)));
        vm.assertTrue(store.isRevoked(0, serial));
        vm.assertTrue(store.isRevoked(0, OTHER));
        vm.assertFalse(store.isRevoked(0, serial ^ 2));
        avm.revertToState(clean);
    }

    function _refuses(bytes memory entry) private {
        bytes memory crl = _crlOf(entry);
        bytes32 caId = _platformCaId();
        avm.expectPartialRevert(Der.MalformedDer.selector);
        store.storeCrl(caId, crl);
    }
}
