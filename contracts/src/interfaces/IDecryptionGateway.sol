// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Certificate, DecryptionRequest, DecryptionResult, Opening, RequestStatus} from "../types/Decryption.sol";

/// @title Requests for public decryption and delivery of their results (protocol §6)
interface IDecryptionGateway {
    event DecryptionRequested(
        bytes32 indexed requestId,
        address indexed requester,
        bytes32[] handles,
        bytes4 callback,
        uint32 callbackGas,
        uint40 deadline,
        uint256 fee
    );
    event DecryptionCancelled(bytes32 indexed requestId);
    event DecryptionFulfilled(
        bytes32 indexed requestId, bytes32 indexed keyId, RequestStatus status, Opening[] openings
    );
    /// @param reason at most 256 bytes of what the requester reverted with
    event CallbackReverted(bytes32 indexed requestId, bytes reason);
    event CallbackDelivered(bytes32 indexed requestId);
    event FeeRefunded(bytes32 indexed requestId, address indexed requester, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    error HandleCountOutOfRange(uint256 count, uint256 maximum);
    error DeadlineOutOfRange(uint40 deadline, uint256 earliest, uint256 latest);
    error WrongFee(uint256 paid, uint256 required);
    error CallbackGasOutOfRange(uint32 callbackGas, uint256 maximum);
    error NotRequester(address caller, address requester);
    error WrongStatus(bytes32 requestId, RequestStatus status);
    error CancelWindowOver(bytes32 requestId, uint256 closedAt);
    error StillCancellable(bytes32 requestId, uint256 closesAt);
    error WrongGateway(address gateway);
    error HandlesMismatch(bytes32 given, bytes32 requested);
    error TooLittleGas(uint256 available, uint256 required);
    error DeadlineNotPassed(bytes32 requestId, uint40 deadline);
    error NothingToWithdraw(address account);
    error PaymentFailed(address to, uint256 amount);

    /// @notice Asks for the public decryption of up to 32 handles. Nodes serve it once it can no longer be cancelled.
    /// @param callback selector of `f(bytes32 requestId, bytes plaintexts)` on the caller; 0 stores the result instead
    /// @param callbackGas gas that the callback gets, 0 exactly where there is none
    /// @param deadline timestamp up to which a result is on time
    function request(bytes32[] calldata handles, bytes4 callback, uint32 callbackGas, uint40 deadline)
        external
        payable
        returns (bytes32 requestId);

    /// @notice Takes a request back inside its cancel window; the fee becomes withdrawable. Only the requester.
    function cancel(bytes32 requestId) external;

    /// @notice Delivers a certified result. Anyone may submit it; same arguments as the verifier's `verify`.
    function fulfil(DecryptionResult calldata result, Certificate calldata certificate) external;

    /// @notice Repeats a callback that reverted. Anyone may call, with at least the requested callback gas.
    function retryCallback(bytes32 requestId) external;

    /// @notice Gives the fee back where the deadline passed without a result. Anyone may call.
    function refund(bytes32 requestId) external;

    /// @notice Pays out what the caller is owed: refunds, or the treasury's earned fees.
    function withdraw(address to) external;

    function requestOf(bytes32 requestId) external view returns (DecryptionRequest memory);

    /// @return plaintexts of a result that is stored: no callback wanted, callback reverted, or late; else empty
    function resultOf(bytes32 requestId) external view returns (bytes memory plaintexts);

    /// @return amount that `withdraw` would pay out
    function owedTo(address account) external view returns (uint256 amount);

    /// @return seconds in which a request may be cancelled and nodes wait
    function cancelWindow() external view returns (uint40);

    /// @return fee of a request in wei
    function baseFee() external view returns (uint96);
}
