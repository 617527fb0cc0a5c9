// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICoprocessor} from "../interfaces/ICoprocessor.sol";
import {IDecryptionGateway} from "../interfaces/IDecryptionGateway.sol";
import {FHE, euint16} from "../libraries/FHE.sol";

/// @title The smallest dApp: adds two numbers on ciphertexts and has the sum decrypted without a callback
/// @notice Example. The summands are known to everybody; only the way of the result is of interest.
contract EncryptedSum {
    event SumComputed(bytes32 indexed sum, uint16 a, uint16 b);
    event SumRequested(bytes32 indexed sum, bytes32 indexed requestId);

    uint40 private constant RESULT_SECONDS = 1 days;

    IDecryptionGateway public immutable gateway;

    /// @notice Handle of the newest sum.
    bytes32 public sum;

    constructor(ICoprocessor coprocessor, IDecryptionGateway gateway_) {
        FHE.useCoprocessor(coprocessor);
        gateway = gateway_;
    }

    /// @notice Computes a sum that wraps at 2^16.
    function compute(uint16 a, uint16 b) external {
        euint16 result = FHE.add(FHE.trivialEuint16(a), FHE.trivialEuint16(b));
        sum = result.unwrap();
        FHE.allowThis(sum);
        emit SumComputed(sum, a, b);
    }

    /// @notice Asks for the newest sum. The value sent is the gateway's fee; the gateway stores the result.
    function reveal() external payable returns (bytes32 requestId) {
        FHE.allowForDecryption(sum);
        bytes32[] memory handles = new bytes32[](1);
        handles[0] = sum;
        requestId = gateway.request{value: msg.value}(handles, bytes4(0), 0, uint40(block.timestamp) + RESULT_SECONDS);
        emit SumRequested(sum, requestId);
    }
}
