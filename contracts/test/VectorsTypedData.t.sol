// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Coprocessor} from "../src/Coprocessor.sol";
import {DecryptionVerifier} from "../src/DecryptionVerifier.sol";
import {KeyRegistry} from "../src/KeyRegistry.sol";
import {NodeRegistry} from "../src/NodeRegistry.sol";
import {ResultHash} from "../src/libraries/ResultHash.sol";
import {DecryptionResult, Opening} from "../src/types/Decryption.sol";
import {Activation} from "../src/types/Key.sol";
import {Registration, Role} from "../src/types/Node.sol";
import {Vector} from "./support/Vector.sol";
import {VectorTest} from "./support/VectorTest.sol";

/// @notice The contracts hash every type that they know as the vectors say: struct hash and digest, under the domain of a
/// verifier at the vector's address.
contract VectorsTypedDataTest is VectorTest {
    using Vector for Vector.File;

    function test_everyType() public {
        Vector.File[] memory files = Vector.ofSubject("eip712");
        for (uint256 i; i < files.length; ++i) {
            _check(files[i]);
        }
    }

    /// @dev A type that is not named here fails the test: it must be said who hashes it.
    function _check(Vector.File memory file) private {
        // What no word of the contract's types holds cannot be asked.
        if (!file.says("expect", "success")) return;
        bytes32 name = keccak256(bytes(_upTo(file.one("type"), "(")));
        // Nodes alone hash these.
        if (name == keccak256("Approval") || name == keccak256("UserDecryptionPermit")) return;
        vm.chainId(file.number("domainChainId"));
        if (name == keccak256("DecryptionResult")) _checkResult(file);
        else if (name == keccak256("ResultBatch")) _checkBatch(file);
        else vm.assertEq(_digestOf(name, file), file.word("digest"), file.path);
    }

    /// @dev The chain of a result is part of the result; that of the domain need not be the same in a vector.
    function _checkResult(Vector.File memory file) private {
        DecryptionVerifier verifier = _verifierOf(file);
        bytes32 separator = verifier.domainSeparator();
        vm.chainId(file.number("chainId"));
        bytes32 structHash = verifier.hashResult(_resultOf(file));
        vm.assertEq(structHash, file.word("structHash"), file.path);
        vm.assertEq(_typed(separator, structHash), file.word("digest"), file.path);
    }

    function _checkBatch(Vector.File memory file) private {
        bytes32 structHash = ResultHash.ofBatch(
            file.word("keyId"),
            uint32(file.number("epoch")),
            file.number("signers"),
            file.word("root"),
            file.number("leaves")
        );
        vm.assertEq(structHash, file.word("structHash"), file.path);
        vm.assertEq(_typed(_verifierOf(file).domainSeparator(), structHash), file.word("digest"), file.path);
    }

    function _digestOf(bytes32 name, Vector.File memory file) private returns (bytes32) {
        if (name == keccak256("EndorsedBatch")) {
            return _verifierOf(file)
                .endorsedDigest(
                    file.word("keyId"), uint32(file.number("epoch")), file.word("root"), uint32(file.number("leaves"))
                );
        }
        if (name == keccak256("KeyActivation")) {
            return _keysOf(file).activationDigest(file.word("keyId"), uint32(file.number("epoch")), _activationOf(file));
        }
        if (name == keccak256("Discard")) return _keysOf(file).discardDigest(file.word("keyId"));
        if (name == keccak256("Registration")) return _nodesOf(file).consentDigest(_registrationOf(file));
        if (name == keccak256("InputAttestation")) {
            return _coprocessorOf(file)
                .inputDigest(
                    file.word("keyId"),
                    file.account("contractAddress"),
                    file.account("user"),
                    file.word("listDigest"),
                    file.words("handles")
                );
        }
        revert(string.concat(file.path, ": nobody hashes this type"));
    }

    function _verifierOf(Vector.File memory file) private returns (DecryptionVerifier) {
        address verifier = file.account("verifyingContract");
        _createAt(verifier, "DecryptionVerifier", abi.encode(address(0), address(0)));
        return DecryptionVerifier(verifier);
    }

    function _keysOf(Vector.File memory file) private returns (KeyRegistry) {
        return KeyRegistry(
            _create(
                "KeyRegistry",
                abi.encode(bytes32(0), address(0), file.account("verifyingContract"), address(0), address(0))
            )
        );
    }

    function _nodesOf(Vector.File memory file) private returns (NodeRegistry) {
        address quotes = addressOfName("quote verifier");
        vm.mockCall(quotes, abi.encodeWithSignature("collateral()"), abi.encode(address(0)));
        return NodeRegistry(
            _create(
                "NodeRegistry",
                abi.encode(address(0), file.account("verifyingContract"), quotes, address(0), address(0), 1, 0, 0)
            )
        );
    }

    function _coprocessorOf(Vector.File memory file) private returns (Coprocessor) {
        address coprocessor = file.account("coprocessor");
        _createAt(
            coprocessor,
            "Coprocessor",
            abi.encode(address(0), address(0), file.account("verifyingContract"), address(0))
        );
        return Coprocessor(coprocessor);
    }

    function _resultOf(Vector.File memory file) private pure returns (DecryptionResult memory result) {
        bytes32[] memory handles = file.words("handles");
        bytes32[] memory sessions = file.words("sessions");
        bytes memory plaintexts = file.data("plaintexts");
        vm.assertEq(plaintexts.length, 32 * handles.length, "one word per handle");
        vm.assertEq(sessions.length, handles.length, "one session per handle");
        (result.gateway, result.requestId) = (file.account("gateway"), file.word("requestId"));
        result.openings = new Opening[](handles.length);
        for (uint256 i; i < handles.length; ++i) {
            uint256 plaintext;
            assembly ("memory-safe") {
                plaintext := mload(add(plaintexts, mul(32, add(i, 1))))
            }
            result.openings[i] = Opening(handles[i], sessions[i], plaintext);
        }
    }

    function _activationOf(Vector.File memory file) private pure returns (Activation memory) {
        return Activation({
            publicKeyDigest: file.word("publicKeyDigest"),
            serverKeyDigest: file.word("serverKeyDigest"),
            crsDigest: file.word("crsDigest"),
            transcriptDigest: file.word("transcriptDigest"),
            groupX: file.number("groupX"),
            groupV: uint8(file.number("groupV"))
        });
    }

    function _registrationOf(Vector.File memory file) private pure returns (Registration memory) {
        return Registration({
            operator: file.account("operator"),
            role: Role(file.number("role")),
            signer: file.account("signer"),
            peerIdHash: file.word("peerIdHash"),
            configHash: file.word("configHash"),
            challengeBlock: uint64(file.number("challengeBlock"))
        });
    }

    function _typed(bytes32 separator, bytes32 structHash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }
}
