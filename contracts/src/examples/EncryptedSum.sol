// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICoprocessor} from "../interfaces/ICoprocessor.sol";
import {IDecryptionGateway} from "../interfaces/IDecryptionGateway.sol";
import {FHE, euint16} from "../libraries/FHE.sol";
import {EncryptedInput} from "../types/Encrypted.sol";

/// @title The smallest dApp: adds a clear number to an encrypted one and has the sum decrypted without a callback
/// @notice Example. One proven input serves many sums, each a fresh ciphertext under the network's key.
contract EncryptedSum {
    event BaseSet(bytes32 indexed base, address indexed by);
    event SumComputed(bytes32 indexed sum, uint16 addend);
    event SumRequested(bytes32 indexed sum, bytes32 indexed requestId);

    error WrongInput(uint256 values);
    error NoBase();

    uint40 private constant RESULT_SECONDS = 1 days;

    IDecryptionGateway public immutable gateway;

    /// @notice The encrypted summand.
    euint16 public base;
    /// @notice Handle of the newest sum.
    bytes32 public sum;

    constructor(ICoprocessor coprocessor, IDecryptionGateway gateway_) {
        FHE.useCoprocessor(coprocessor);
        gateway = gateway_;
    }

    /// @param input one Uint16, encrypted by the caller for this contract
    function setBase(EncryptedInput calldata input) external {
        if (input.handles.length != 1) revert WrongInput(input.handles.length);
        FHE.verify(input, msg.sender);
        base = FHE.asEuint16(input.handles[0]);
        FHE.allowThis(base.unwrap());
        emit BaseSet(base.unwrap(), msg.sender);
    }

    /// @notice Computes base + addend, which wraps at 2^16.
    function compute(uint16 addend) external {
        if (base.unwrap() == 0) revert NoBase();
        sum = FHE.add(base, FHE.trivialEuint16(addend)).unwrap();
        FHE.allowThis(sum);
        emit SumComputed(sum, addend);
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
