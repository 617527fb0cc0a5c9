// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Schnorr} from "../../src/libraries/Schnorr.sol";
import {SchnorrSigner} from "../support/SchnorrSigner.sol";
import {Test} from "../support/Test.sol";

contract SchnorrTest is Test {
    using SchnorrSigner for SchnorrSigner.Key;

    uint256 private constant N = Schnorr.N;

    function test_fuzz_genuineSignatureIsAccepted(uint256 seed, bytes32 message) public {
        SchnorrSigner.Key memory key = SchnorrSigner.keyFrom(seed);
        (address r, uint256 s) = key.sign(message);
        vm.assertTrue(Schnorr.verify(key.x, key.v, message, r, s));
    }

    /// @notice Both parities of the key occur among the genuine ones.
    function test_bothParitiesOfTheKey() public {
        bool[2] memory seen;
        for (uint256 seed; seed < 16; ++seed) {
            SchnorrSigner.Key memory key = SchnorrSigner.keyFrom(seed);
            (address r, uint256 s) = key.sign("message");
            vm.assertTrue(Schnorr.verify(key.x, key.v, "message", r, s));
            seen[key.v - 27] = true;
        }
        vm.assertTrue(seen[0] && seen[1]);
    }

    /// @notice Every way to bend one part of a genuine signature.
    function test_fuzz_mutationIsRefused(uint256 seed, bytes32 message, uint8 kind, uint256 noise) public {
        SchnorrSigner.Key memory key = SchnorrSigner.keyFrom(seed);
        (address r, uint256 s) = key.sign(message);
        (uint256 x, uint8 v) = (key.x, key.v);
        uint256 bit = 1 << (noise % 256);
        unchecked {
            if (kind % 18 == 0) s ^= bit;
            else if (kind % 18 == 1) message ^= bytes32(bit);
            else if (kind % 18 == 2) x ^= bit;
            else if (kind % 18 == 3) r = address(uint160(r) ^ uint160(1 << (noise % 160)));
            else if (kind % 18 == 4) v = v == 27 ? 28 : 27;
            else if (kind % 18 == 5) v = uint8(noise) == v ? 0 : uint8(noise);
            else if (kind % 18 == 6) s = N - s;
            else if (kind % 18 == 7) (s, v) = (N - s, v == 27 ? 28 : 27);
            else if (kind % 18 == 8) s += N;
            else if (kind % 18 == 9) s = N + noise % (type(uint256).max - N);
            else if (kind % 18 == 10) s = 0;
            else if (kind % 18 == 11) s = N;
            else if (kind % 18 == 12) s = addmod(s, 1, N);
            else if (kind % 18 == 13) x = 0;
            else if (kind % 18 == 14) x = N + noise % (type(uint256).max - N);
            else if (kind % 18 == 15) r = address(0);
            else if (kind % 18 == 16) (x, v) = _other(seed);
            else (r, s) = key.sign(keccak256(abi.encode(message, noise)));
        }
        vm.assertFalse(Schnorr.verify(x, v, message, r, s));
    }

    /// @notice ecrecover answers 0 to all of these, which is what r = 0 claims.
    function test_fuzz_zeroNoncePointForgesNothing(uint256 seed, bytes32 message, uint256 x, uint8 v, uint256 s) public {
        SchnorrSigner.Key memory key = SchnorrSigner.keyFrom(seed);
        vm.assertFalse(Schnorr.verify(key.x, key.v, message, address(0), s));
        vm.assertFalse(Schnorr.verify(key.x, v, message, address(0), s));
        vm.assertFalse(Schnorr.verify(x, key.v, message, address(0), s));
        // s = e·secret makes s·G − e·P the point at infinity.
        uint256 e = uint256(keccak256(abi.encodePacked(key.x, key.v, message, address(0)))) % N;
        vm.assertFalse(Schnorr.verify(key.x, key.v, message, address(0), mulmod(e, key.secret, N)));
    }

    function test_fuzz_randomInputsAreRefused(uint256 x, uint8 v, bytes32 message, address r, uint256 s) public pure {
        vm.assertFalse(Schnorr.verify(x, v, message, r, s));
        vm.assertFalse(Schnorr.verify(x, 27 + (v & 1), message, r, s % N));
    }

    function test_isKey() public pure {
        vm.assertTrue(Schnorr.isKey(1, 27));
        vm.assertTrue(Schnorr.isKey(N - 1, 28));
        vm.assertFalse(Schnorr.isKey(0, 27));
        vm.assertFalse(Schnorr.isKey(N, 27));
        vm.assertFalse(Schnorr.isKey(type(uint256).max, 28));
        vm.assertFalse(Schnorr.isKey(1, 26));
        vm.assertFalse(Schnorr.isKey(1, 29));
        vm.assertFalse(Schnorr.isKey(1, 0));
    }

    function _other(uint256 seed) private returns (uint256 x, uint8 v) {
        SchnorrSigner.Key memory other = SchnorrSigner.keyFrom(~seed);
        return (other.x, other.v);
    }
}
