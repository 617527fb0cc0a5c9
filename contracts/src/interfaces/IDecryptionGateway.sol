// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AcceptancePolicy,
    AcceptanceRule,
    BatchCertificate,
    Certificate,
    DecryptionRequest,
    DecryptionResult,
    EndorsedCertificate,
    Obstacle,
    Opening,
    PolicyEvidence,
    RequestStatus
} from "../types/Decryption.sol";

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
        bytes32 indexed requestId,
        bytes32 indexed keyId,
        RequestStatus status,
        AcceptanceRule rule,
        Opening[] openings
    );
    event PolicyRequired(bytes32 indexed requestId, AcceptancePolicy policy);
    /// @notice A result of a batch was not delivered; its request is as before.
    event ResultSkipped(bytes32 indexed requestId, Obstacle obstacle);
    /// @param reason at most 256 bytes of what the requester reverted with
    event CallbackReverted(bytes32 indexed requestId, bytes reason);
    event CallbackDelivered(bytes32 indexed requestId);
    event FeeRefunded(bytes32 indexed requestId, address indexed requester, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    error HandleCountOutOfRange(uint256 count, uint256 maximum);
    error DeadlineOutOfRange(uint40 deadline, uint256 earliest, uint256 latest);
    error LifetimeOutOfRange(uint40 lifetime, uint256 minimum, uint256 maximum);
    error WrongFee(uint256 paid, uint256 required);
    error CallbackGasOutOfRange(uint32 callbackGas, uint256 maximum);
    error NotRequester(address caller, address requester);
    error WrongStatus(bytes32 requestId, RequestStatus status);
    error CancelWindowOver(bytes32 requestId, uint256 closedAt);
    error StillCancellable(bytes32 requestId, uint256 closesAt);
    error WrongGateway(address gateway);
    error HandlesMismatch(bytes32 given, bytes32 requested);
    error PolicyOutOfRange(uint8 endorsements, uint8 freshQuotes, uint8 maximum);
    /// @notice The requester demands evidence that this function does not take, or the group's signature.
    error PolicyNotMet(bytes32 requestId);
    error TooLittleGas(uint256 available, uint256 required);
    error DeadlineNotPassed(bytes32 requestId, uint40 deadline);
    error NothingToWithdraw(address account);
    error PaymentFailed(address to, uint256 amount);

    /// @notice Asks for the public decryption of up to 32 handles. Nodes serve it once it can no longer be cancelled.
    /// @param callback selector of `f(bytes32 requestId, bytes plaintexts)` on the caller; 0 stores the result instead
    /// @param callbackGas gas that the callback gets, 0 exactly where there is none
    /// @param deadline timestamp up to which a result is on time; at least `minLifetime` from now, at most 30 days
    function request(bytes32[] calldata handles, bytes4 callback, uint32 callbackGas, uint40 deadline)
        external
        payable
        returns (bytes32 requestId);

    /// @notice As `request`, for a result that counts only with what `policy` demands. A policy that the key's committee
    /// is too small for is never met: the fee goes back after the deadline.
    function requestWithPolicy(
        bytes32[] calldata handles,
        bytes4 callback,
        uint32 callbackGas,
        uint40 deadline,
        AcceptancePolicy calldata policy
    ) external payable returns (bytes32 requestId);

    /// @notice Takes a request back inside its cancel window; the fee becomes withdrawable. Only the requester.
    function cancel(bytes32 requestId) external;

    /// @notice Delivers a certified result. Anyone may submit it; same arguments as the verifier's `verify`.
    function fulfil(DecryptionResult calldata result, Certificate calldata certificate) external;

    /// @notice Delivers all results of one tree, in the order of its leaves, 1..64. A result whose request is settled,
    /// unknown, still cancellable, for other handles or with a policy that needs evidence is skipped with an event, and
    /// so is one that the gas left does not suffice for: each takes its callback's gas and 1/63 of it, 140,000 and 23,000
    /// for each handle, and 15,000 for every result from it on. Callbacks that revert or burn their gas change nothing
    /// for the others. Whoever submits must set the gas: an estimate finds the least at which everything is skipped.
    function fulfilMany(DecryptionResult[] calldata results, BatchCertificate calldata certificate) external;

    /// @notice Delivers a result that a quorum of seats endorsed (rule E), unless its request is `groupOnly`.
    function fulfilEndorsed(DecryptionResult calldata result, EndorsedCertificate calldata certificate) external;

    /// @notice Delivers a result with the evidence that the policy of its request demands.
    function fulfilWith(
        DecryptionResult calldata result,
        Certificate calldata certificate,
        PolicyEvidence calldata evidence
    ) external;

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

    /// @return seconds from a request to its deadline at least: what the network needs to serve it on time
    function minLifetime() external view returns (uint40);

    /// @return fee of a request in wei
    function baseFee() external view returns (uint96);
}
