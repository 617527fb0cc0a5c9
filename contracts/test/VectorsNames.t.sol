// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CiphertextCommitments} from "../src/CiphertextCommitments.sol";
import {DecryptionVerifier} from "../src/DecryptionVerifier.sol";
import {KeyRegistry} from "../src/KeyRegistry.sol";
import {Commitment} from "../src/types/Commitment.sol";
import {FheType} from "../src/types/Encrypted.sol";
import {Host} from "../src/types/Key.sol";
import {Vector} from "./support/Vector.sol";
import {VectorTest} from "./support/VectorTest.sol";

/// @notice The names that a contract derives whole are those of the vectors. Handles of inputs come out of a transaction
/// with executors and keys: test/CoprocessorInputs.t.sol.
contract VectorsNamesTest is VectorTest {
    using Vector for Vector.File;

    function test_everyName() public {
        Vector.File[] memory files = Vector.ofSubject("names");
        uint256 checked;
        for (uint256 i; i < files.length; ++i) {
            Vector.File memory file = files[i];
            bytes32 name = keccak256(bytes(file.one("derive")));
            bytes32 made;
            if (name == keccak256("freshQuoteBinding")) made = _bindingOf(file);
            else if (name == keccak256("keyId")) made = _keyIdOf(file);
            else if (name == keccak256("commitmentLeaf")) made = _leafOf(file);
            else continue;
            vm.assertEq(made, file.word("result"), file.path);
            ++checked;
        }
        vm.assertEq(checked, 6);
    }

    function _bindingOf(Vector.File memory file) private returns (bytes32) {
        vm.chainId(file.number("chainId"));
        address verifier = file.account("verifier");
        _createAt(verifier, "DecryptionVerifier", abi.encode(address(0), address(0)));
        return DecryptionVerifier(verifier)
            .freshQuoteBinding(
                file.word("keyId"),
                uint32(file.number("epoch")),
                uint8(file.number("party")),
                file.word("root"),
                uint32(file.number("leaves"))
            );
    }

    function _keyIdOf(Vector.File memory file) private returns (bytes32) {
        vm.chainId(file.number("chainId"));
        address keys = file.account("keyRegistry");
        _createAt(
            keys, "KeyRegistry", abi.encode(file.word("genesisHash"), address(0), address(0), address(0), address(0))
        );
        Host memory host =
            Host(uint64(file.number("hostChainId")), file.account("coprocessor"), file.account("gateway"));
        return KeyRegistry(keys).keyIdOf(uint64(file.number("ceremonyNonce")), host);
    }

    function _leafOf(Vector.File memory file) private returns (bytes32) {
        vm.chainId(file.number("chainId"));
        CiphertextCommitments commitments = CiphertextCommitments(
            _create("CiphertextCommitments", abi.encode(address(0), address(0), file.account("coprocessor")))
        );
        return commitments.leafOf(
            Commitment({
                handle: file.word("handle"),
                operationDigest: file.word("operationDigest"),
                inputsDigest: file.word("inputsDigest"),
                ciphertextDigest: file.word("ciphertextDigest"),
                squashedDigest: file.word("squashedDigest"),
                fheType: FheType(file.number("fheType")),
                blockCount: uint32(file.number("blockCount"))
            })
        );
    }
}
