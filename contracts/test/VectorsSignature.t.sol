// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Schnorr} from "../src/libraries/Schnorr.sol";
import {Test} from "./support/Test.sol";
import {Vector} from "./support/Vector.sol";

/// @notice The group signatures of the vectors are signatures to the contracts, and for nothing else.
contract VectorsSignatureTest is Test {
    using Vector for Vector.File;

    function test_everySignature() public view {
        Vector.File[] memory files = Vector.ofSubject("frost");
        uint256 signatures;
        for (uint256 i; i < files.length; ++i) {
            if (!files[i].says("expect", "success")) continue;
            ++signatures;
            _check(files[i]);
        }
        vm.assertGt(signatures, 0);
    }

    function _check(Vector.File memory file) private pure {
        uint256 x = uint256(file.word("groupX"));
        uint8 v = uint8(file.number("groupV"));
        bytes32 message = file.word("message");
        address r = file.account("r");
        uint256 s = uint256(file.word("s"));
        vm.assertTrue(Schnorr.isKey(x, v), file.path);
        vm.assertTrue(Schnorr.verify(x, v, message, r, s), file.path);
        vm.assertFalse(Schnorr.verify(x, v, ~message, r, s), file.path);
        vm.assertFalse(Schnorr.verify(x, v == 27 ? 28 : 27, message, r, s), file.path);
    }
}
