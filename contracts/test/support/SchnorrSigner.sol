// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Schnorr} from "../../src/libraries/Schnorr.sol";
import {Vm} from "./Vm.sol";

/// @notice A group key whose secret the test knows, and signatures as FROST would make them.
library SchnorrSigner {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    struct Key {
        uint256 secret;
        uint256 x;
        uint8 v;
    }

    /// @param seed any number; the secret is derived from it
    function keyFrom(uint256 seed) internal returns (Key memory) {
        uint256 secret = 1 + uint256(keccak256(abi.encode("group", seed))) % (Schnorr.N - 1);
        Vm.Wallet memory wallet = vm.createWallet(secret);
        return Key(secret, wallet.publicKeyX, uint8(27 + (wallet.publicKeyY & 1)));
    }

    /// @return r address of k·G
    /// @return s k + e·secret
    function sign(Key memory key, bytes32 message) internal pure returns (address r, uint256 s) {
        uint256 k = 1 + uint256(keccak256(abi.encode("nonce", key.secret, message))) % (Schnorr.N - 1);
        r = vm.addr(k);
        uint256 e = uint256(keccak256(abi.encodePacked(key.x, key.v, message, r))) % Schnorr.N;
        s = addmod(k, mulmod(e, key.secret, Schnorr.N), Schnorr.N);
    }
}
